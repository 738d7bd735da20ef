"""Speed of prediction: whole commands against bare networks, and against other programs."""
