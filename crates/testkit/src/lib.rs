//! crowdfold-testkit
