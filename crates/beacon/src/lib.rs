//! crowdfold-beacon
