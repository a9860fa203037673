//! Panels show what the data say and ask for what is clicked.
