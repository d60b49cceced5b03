//! The binary as a user runs it, with nothing of the environment.

#![cfg(test)]

mod dis;
mod kb;
mod rules;
mod sandbox;
mod scan;
