"""What the rendered manifests must be beyond their schemas; called by .ci/kubernetes, which renders them.

Within each overlay every reference leads somewhere, every selector meets a pod, every pod is locked down, every call a
setting names is one the network policies let through, and the services accept their settings.
"""

import argparse
import pathlib
import re
import sys

from network import check_policies
from objects import Schemas, check_objects, check_references
from pods import check_pods
from services import check_services
from world import World, fault, faults


def check_readme(worlds, readme, connections):
    page = pathlib.Path(readme).read_text()
    rows = set(re.findall(r"^\| `([\w-]+)` \| `([\w.-]+)`", page, re.MULTILINE))
    made = {
        (item["metadata"]["name"], key)
        for world in worlds
        for item in world.prepared
        if item["kind"] == "Secret"
        for key in item["stringData"]
    }
    for name, key in sorted(made - rows):
        fault(readme, f"no row for key {key} of Secret {name}")
    for name, key in sorted(rows - made):
        fault(readme, f"has a row for key {key} of Secret {name}, which nobody makes")
    if f"**{connections} connections**" not in page:
        fault(readme, f"does not say that production may open **{connections} connections**")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--releases", required=True)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--readme", required=True)
    parser.add_argument("--overlay", nargs=2, action="append", required=True)
    options = parser.parse_args()
    schemas = Schemas(options.releases.split(","))
    worlds, connections = [], {}
    for prepared, rendered in options.overlay:
        name = pathlib.Path(rendered).stem
        world = World(name, pathlib.Path(prepared).read_text(), pathlib.Path(rendered).read_text())
        worlds.append(world)
        check_objects(world, schemas)
        check_pods(world)
        check_references(world)
        check_policies(world)
        connections[name] = check_services(world, options.binaries)
    check_readme(worlds, options.readme, connections["overlays.managed-postgres"])
    for line in dict.fromkeys(faults):
        print(f"kubernetes: {line}", file=sys.stderr)
    total = sum(len(world.items) for world in worlds)
    print(f"kubernetes: {total} objects of {len(worlds)} kustomizations, against {', '.join(schemas.releases)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
