"""The colours and finishes that things have when nobody asks for others."""

from __future__ import annotations

from frontdesk.worker.solids import Paint

WOOD = Paint((0.60, 0.41, 0.24))
DARK_WOOD = Paint((0.38, 0.24, 0.14))
PALE_WOOD = Paint((0.82, 0.67, 0.46))
BARK = Paint((0.40, 0.29, 0.20))

STEEL = Paint((0.72, 0.74, 0.77), "metal")
IRON = Paint((0.25, 0.26, 0.28), "metal")
BRASS = Paint((0.80, 0.62, 0.25), "metal")
GOLD = Paint((0.95, 0.75, 0.25), "metal")
SILVER = Paint((0.85, 0.86, 0.88), "metal")

GLASS = Paint((0.78, 0.90, 0.92), "glass")
GREEN_GLASS = Paint((0.25, 0.50, 0.30), "glass")
WINDOW = Paint((0.35, 0.50, 0.62), "glass")
LIGHT = Paint((1.00, 0.93, 0.70), "glow")
RED_LIGHT = Paint((0.95, 0.20, 0.15), "glow")
FLAME = Paint((1.00, 0.62, 0.15), "glow")

WHITE = Paint((0.95, 0.95, 0.93))
CREAM = Paint((0.94, 0.88, 0.76))
GREY = Paint((0.55, 0.56, 0.58))
DARK = Paint((0.16, 0.16, 0.18))
BLACK = Paint((0.07, 0.07, 0.08))
RUBBER = Paint((0.11, 0.11, 0.12))

RED = Paint((0.80, 0.16, 0.14))
ORANGE = Paint((0.95, 0.52, 0.13))
YELLOW = Paint((0.97, 0.80, 0.20))
GREEN = Paint((0.25, 0.58, 0.26))
BLUE = Paint((0.18, 0.38, 0.72))
SKY = Paint((0.45, 0.68, 0.88))
PINK = Paint((0.95, 0.60, 0.68))
BROWN = Paint((0.48, 0.31, 0.19))

LEAF = Paint((0.30, 0.56, 0.22))
NEEDLE = Paint((0.13, 0.38, 0.22))
STONE = Paint((0.66, 0.64, 0.60))
DARK_STONE = Paint((0.46, 0.45, 0.44))
BRICK = Paint((0.68, 0.33, 0.25))
ROOF = Paint((0.63, 0.25, 0.18))
SLATE = Paint((0.31, 0.35, 0.42))
PLASTER = Paint((0.93, 0.89, 0.80))
CLAY = Paint((0.76, 0.42, 0.28))
SAND = Paint((0.87, 0.76, 0.52))
PORCELAIN = Paint((0.95, 0.95, 0.96))
FABRIC = Paint((0.30, 0.45, 0.58))
