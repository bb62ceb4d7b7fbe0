//! How the program reaches the engine.
