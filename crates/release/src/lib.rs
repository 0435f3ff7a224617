//! crowdfold-release
