"""Labels every pixel of an image, and tells you how well."""
