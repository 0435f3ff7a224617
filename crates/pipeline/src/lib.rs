//! crowdfold-pipeline
