//! Tables and pictures from an evaluation.
