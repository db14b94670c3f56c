//! One self-contained compressed file of what a room took in: recorder and player.
