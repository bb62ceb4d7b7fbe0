def resize(levels):
    """Nearest neighbour as in Pillow; the positions are accumulated, as their rounding errors count."""

    def positions(length):
        steps = np.full(SIZE, length / SIZE)
        steps[0] *= 0.5
        return np.minimum(np.cumsum(steps).astype(np.int64), length - 1)

    height, width = levels.shape[:2]
    return levels[positions(height)][:, positions(width)]


def centre(levels):
    """Scales to 0 to 1 and subtracts the mean of the image."""
    scaled = np.arange(256, dtype=np.float32) * (np.float32(1) / np.float32(255))
    counts = np.bincount(levels.ravel(), minlength=256)
    mean = np.cumsum(counts * scaled.astype(np.float64))[-1] / levels.size
    return (scaled - np.float32(mean))[levels]
