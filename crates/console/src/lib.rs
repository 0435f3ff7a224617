//! crowdfold-console
