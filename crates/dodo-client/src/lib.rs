//! dodo-client
