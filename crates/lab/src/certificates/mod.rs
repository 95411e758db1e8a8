//! Bad certificates, offered by a real server and judged by both libraries.
