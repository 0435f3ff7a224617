//! crowdfold-kafka
