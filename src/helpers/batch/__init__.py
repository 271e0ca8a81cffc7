"""Many cohorts of one study at once: their printed numbers, and how many of them come back."""
