"""How sure a share of a count is."""

import math

NORMAL_95 = 1.959964


def share_interval(count: float, total: float) -> tuple[float, float]:
    """95 % interval of count / total, 0 to 1 (Wilson 1927, doi:10.1080/01621459.1927.10502953); (0, 1) of nothing."""
    if not total:
        return 0.0, 1.0
    share, z2 = count / total, NORMAL_95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    reach = NORMAL_95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    low = 0.0 if count == 0 else max(0.0, middle - reach)
    high = 1.0 if count == total else min(1.0, middle + reach)
    return low, high
