"""Pure array geometry that several parts need: components, distances, surfaces."""
