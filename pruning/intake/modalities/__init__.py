"""Images, audio and text: how files become model inputs, one file each."""
