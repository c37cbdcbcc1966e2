"""Every object: its schema, strictly, its labels, its words, its selectors."""

import re

import jsonschema
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from world import fault, ports

# What the schemas leave open and the API server does not.
WORDS = {
    "imagePullPolicy": {"IfNotPresent", "Always", "Never"},
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "protocol": {"TCP", "UDP"},
    "whenUnsatisfiable": {"ScheduleAnyway", "DoNotSchedule"},
    "unhealthyPodEvictionPolicy": {"AlwaysAllow", "IfHealthyBudget"},
    "selectPolicy": {"Max", "Min", "Disabled"},
    "operator": {"In", "NotIn"},
    "clusterIP": {"None"},
    "accessModes": {"ReadWriteOnce"},
    "policyTypes": {"Ingress", "Egress"},
}
# `type` means something else at every place.
TYPES = {
    "strategy": {"RollingUpdate"},
    "metrics": {"Resource"},
    "target": {"Utilization"},
    "policies": {"Percent", "Pods"},
    "seccompProfile": {"RuntimeDefault"},
}
COUNTS = {"maxUnavailable", "minAvailable", "maxSurge"}


class Schemas:
    """Strict validators, one per kind and release; reading the definitions is what takes time."""

    def __init__(self, releases):
        self.validators = {}
        self.releases = releases
        self.definitions = {
            release: Resource.from_contents(schema_contents(f"kubernetes-json-schema/v{release}.0-local-strict/_definitions.json", release))
            for release in releases
        }

    def validator(self, release, kind, api):
        key = (release, kind, api)
        if key not in self.validators:
            api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
            name = f"kubernetes-json-schema/v{release}.0-local-strict/{kind.lower()}-{api}.json"
            schema = schema_contents(name, release)
            registry = self.definitions[release] @ (Resource.from_contents(schema) @ Registry())
            self.validators[key] = jsonschema.validators.Draft202012Validator(schema, registry=registry)
        return self.validators[key]

    def check(self, where, item):
        for release in self.releases:
            try:
                found = self.validator(release, item["kind"], item["apiVersion"]).iter_errors(item)
            except FileNotFoundError:
                fault(where, f"Kubernetes {release} has no {item['apiVersion']} {item['kind']}")
                continue
            for error in found:
                fault(where, f"Kubernetes {release}: {'.'.join(map(str, error.path))}: {error.message[:300]}")


def check_objects(world, schemas):
    seen = set()
    for item in world.items:
        where = world.where(item)
        schemas.check(where, item)
        check_words(where, item)
        identity = (item["kind"], item["metadata"]["name"])
        if identity in seen:
            fault(where, "there are two")
        seen.add(identity)
        if item["kind"] == "Secret":
            fault(where, "a secret stands in a file")
        if item["kind"] == "Namespace":
            continue
        if not item["metadata"].get("namespace"):
            fault(where, "no namespace")
        labels = item["metadata"].get("labels", {})
        check_labels(where, labels)
    for item, pod in world.pods:
        check_labels(world.where(item), pod["metadata"].get("labels", {}))
    for item in world.prepared:
        schemas.check(world.where(item), item)


def check_labels(where, labels):
    for label in ("name", "component", "part-of"):
        if f"app.kubernetes.io/{label}" not in labels:
            fault(where, f"no label app.kubernetes.io/{label}")


def check_words(where, value, field=""):
    """Words of a closed list, and counts, wherever they stand."""
    if isinstance(value, list):
        for entry in value:
            check_words(where, entry, field)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == "type" and isinstance(entry, str) and entry not in TYPES.get(field, {entry}):
                fault(where, f"{field}.type cannot be {entry}")
            # Names of labels, settings and files are anybody's choice.
            if key not in ("labels", "matchLabels", "annotations", "data", "stringData"):
                check_words(where, entry, key)
    elif isinstance(value, str):
        if value not in WORDS.get(field, {value}):
            fault(where, f"{field} cannot be {value}")
        if field in COUNTS and not re.fullmatch(r"\d+%", value):
            fault(where, f"{field} cannot be {value}")


def check_references(world):
    names = {(item["kind"], item["metadata"]["name"]): item for item in world.items}
    for item in world.items:
        where, spec = world.where(item), item.get("spec", {})
        if item["kind"] in ("Deployment", "StatefulSet"):
            met = world.selected(spec["selector"])
            if [owner["metadata"]["name"] for owner, _ in met] != [item["metadata"]["name"]]:
                fault(where, f"its selector meets the pods of {[world.where(owner) for owner, _ in met]}")
        if item["kind"] == "Service" and "selector" in spec:
            met = world.selected({"matchLabels": spec["selector"]})
            if len(met) != 1:
                fault(where, f"its selector meets {len(met)} workloads")
            for port in spec["ports"]:
                for _, pod in met:
                    target = port.get("targetPort", port["port"])
                    # The same number, so that a network policy may be read either way.
                    if ports(pod).get(target, target) != port["port"]:
                        fault(where, f"port {port['port']} leads to {target}, which is not that port")
        if item["kind"] == "PodDisruptionBudget":
            if len(world.selected(spec["selector"])) != 1:
                fault(where, "its selector does not meet one workload")
            if spec.get("maxUnavailable") in (0, "0%") or "minAvailable" in spec:
                fault(where, "must let a node be emptied, however many replicas there are")
        if item["kind"] == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            scaled = names.get((target["kind"], target["name"]))
            if not scaled or "replicas" in scaled["spec"]:
                fault(where, f"{target['name']} is missing, or says itself how many replicas it has")
