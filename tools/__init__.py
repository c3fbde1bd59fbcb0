"""What the repository needs to build, check and run itself. Not part of the package."""
