//! GT06 / Concox / Jimi over TCP.
