"""What a picture can be saved as: files for people, and graphs for programs."""
