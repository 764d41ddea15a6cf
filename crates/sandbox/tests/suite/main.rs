//! The sandbox from outside: real worker processes, one binary.

mod contract;
mod hostile;
mod kit;
mod pool;
mod surroundings;
