//! Draws incidents: the bar over the room, and the dialog.
