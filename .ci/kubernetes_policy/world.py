"""One overlay as a world of its own: what it renders, what `prepare.sh` brings, and who is who in it.

What must be is in the other modules; they tell `fault` what is not.
"""

import re

import yaml

WORKLOADS = ("Deployment", "StatefulSet", "Job")

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


class World:
    def __init__(self, name, prepared, rendered):
        self.name = name
        self.items = [item for item in yaml.safe_load_all(rendered) if item]
        self.prepared = [item for item in yaml.safe_load_all(prepared) if item]
        self.pods = [(item, item["spec"]["template"]) for item in self.items if item["kind"] in WORKLOADS]

    def of(self, kind):
        return [item for item in self.items if item["kind"] == kind]

    def where(self, item):
        return f"{self.name}: {item['kind']} {item['metadata']['name']}"

    def selected(self, selector):
        """Pod templates that a label selector meets."""
        return [(item, pod) for item, pod in self.pods if meets(selector, pod["metadata"]["labels"])]

    def data(self, kind, name):
        """Keys and values of a ConfigMap or Secret, rendered or prepared; None when there is none."""
        for item in self.items + self.prepared:
            if item["kind"] == kind and item["metadata"]["name"] == name:
                return {**item.get("data", {}), **item.get("stringData", {})}
        return None


def meets(selector, labels):
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions") or []:
        inside = labels.get(rule["key"]) in rule.get("values", [])
        if {"In": not inside, "NotIn": inside}[rule["operator"]]:
            return False
    return True


def containers(pod):
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


def ports(pod):
    return {port["name"]: port["containerPort"] for container in containers(pod) for port in container.get("ports", [])}


def bytes_of(quantity):
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity).groups()
    return int(number) << {"Ki": 10, "Mi": 20, "Gi": 30}[unit]
