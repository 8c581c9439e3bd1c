//! LUXI server.
