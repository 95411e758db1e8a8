//! An attacker between client and server.
