//! Mutual TLS between two clouds, over a transit that knows neither.
