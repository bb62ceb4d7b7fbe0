def resize(levels):
    """Bilinear with half-pixel centres, without anti-aliasing, truncated to whole levels."""

    def positions(length):
        scale = length / SIZE
        position = np.clip((np.arange(SIZE) + 0.5) * scale - 0.5, 0, length - 1)
        first = position.astype(np.int64)
        return first, np.minimum(first + 1, length - 1), position - first

    height, width = levels.shape[:2]
    top, bottom, down = positions(height)
    left, right, along = positions(width)
    pixels = levels.reshape(height, width, -1).astype(np.float64)
    along, down = along[:, None], down[:, None, None]
    rows = (1 - along) * pixels[:, left] + along * pixels[:, right]
    mixed = (1 - down) * rows[top] + down * rows[bottom]
    return mixed.astype(np.uint8).reshape((SIZE, SIZE) + levels.shape[2:])


def centre(levels):
    """Subtracts the mean of the image and divides by 255."""
    counts = np.bincount(levels.ravel(), minlength=256)
    mean = np.cumsum(counts * np.arange(256.0))[-1] / levels.size
    return ((np.arange(256.0) - mean) / 255).astype(np.float32)[levels]
