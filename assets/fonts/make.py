"""Makes the two fonts of the window from Inter's variable font (SIL Open Font License 1.1, see LICENSE.txt).

    pip install fonttools==4.68.0 fontpkg-inter==4.1.post1
    python3 make.py

Each is cut at one weight, keeps Latin, Greek, Cyrillic and the signs we use, and has figures of equal width, because numbers
stand below each other everywhere and egui cannot ask a font for them.
"""

from pathlib import Path

import fontpkg_inter
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

SOURCE = next((Path(fontpkg_inter.__file__).parent / "files").glob("Inter[[]*.ttf"))
HERE = Path(__file__).parent
KEPT = [
    *range(0x20, 0x7F),  # Latin
    *range(0xA0, 0x250),
    *range(0x2BB, 0x2E0),
    *range(0x300, 0x36F),
    *range(0x370, 0x400),  # Greek
    *range(0x400, 0x530),  # Cyrillic
    *range(0x1E00, 0x1F00),
    *range(0x2010, 0x2040),  # Punctuation
    *range(0x2070, 0x20A0),
    *range(0x20A0, 0x20C0),
    *range(0x2190, 0x21A0),  # Arrows
    0x2116, 0x2122, 0x2212, 0x2215, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265, 0x25CF, 0x25CB,
]


def equal_figures(font: TTFont) -> None:
    """Points the digits at their tabular forms."""
    order = set(font.getGlyphOrder())
    for table in font["cmap"].tables:
        for code, name in table.cmap.items():
            if 0x30 <= code <= 0x39 and f"{name}.tf" in order:
                table.cmap[code] = f"{name}.tf"


for name, weight in [("Regular", 400), ("SemiBold", 600)]:
    font = instancer.instantiateVariableFont(TTFont(SOURCE), {"wght": weight, "opsz": 14})
    equal_figures(font)
    options = subset.Options(layout_features=["kern", "mark", "mkmk", "ccmp"], hinting=False, name_IDs=["*"])
    cut = subset.Subsetter(options)
    cut.populate(unicodes=KEPT)
    cut.subset(font)
    font["head"].created = font["head"].modified = 0
    font.recalcTimestamp = False
    font.save(HERE / f"Inter-{name}.ttf")
