"""Who may talk to whom, by the network policies; and that whom a setting names can be reached."""

import re

from world import fault, meets, ports

NAMESPACE = "kubernetes.io/metadata.name"


def check_policies(world):
    for item in world.of("NetworkPolicy"):
        check_policy(world, item)
    closed = [item for item in world.of("NetworkPolicy") if not {"ingress", "egress"} & item["spec"].keys()]
    # A world without policies is a visitor in one that has them.
    for item, pod in world.pods if world.of("NetworkPolicy") else []:
        for direction in ("ingress", "egress"):
            if not any(policy in closed for policy in policies_for(world, direction, pod)):
                fault(world.where(item), f"no network policy closes all for {direction} before others open some")


def policies_for(world, direction, pod):
    return [
        item
        for item in world.of("NetworkPolicy")
        if direction in [kind.lower() for kind in item["spec"]["policyTypes"]]
        and meets(item["spec"]["podSelector"], pod["metadata"]["labels"])
    ]


def check_policy(world, item):
    where, spec = world.where(item), item["spec"]
    subjects = world.selected(spec["podSelector"])
    if not subjects:
        fault(where, "meets no pod")
    for direction in ("ingress", "egress"):
        if direction in spec and direction.title() not in spec["policyTypes"]:
            fault(where, f"its rules for {direction} do not count, policyTypes leaves it out")
        for rule in spec.get(direction, []):
            if not rule.get("ports") or not (rule.get("from") or rule.get("to")):
                fault(where, f"a rule for {direction} without {'ports' if not rule.get('ports') else 'peers'} allows all")
            for peer in rule.get("from", []) + rule.get("to", []):
                if "podSelector" in peer and "namespaceSelector" not in peer and not world.selected(peer["podSelector"]):
                    fault(where, f"{direction} names pods that are not there")
            if direction == "ingress":
                for port in rule.get("ports", []):
                    if not any(port["port"] in {**ports(pod), **dict.fromkeys(ports(pod).values())} for _, pod in subjects):
                        fault(where, f"port {port['port']} is none of its pods'")


def lets_through(world, direction, subject, other, port, protocol="TCP"):
    """Whether the policies for `subject` allow `other`: a pod, a namespace's name, or None for an address outside."""
    named = ports(subject)
    for policy in policies_for(world, direction, subject):
        for rule in policy["spec"].get(direction, []):
            if not any(
                named.get(entry["port"], entry["port"]) == port and entry["protocol"] == protocol for entry in rule.get("ports", [])
            ):
                continue
            for peer in rule.get("from", []) + rule.get("to", []):
                if other is None:
                    allowed = "ipBlock" in peer
                elif isinstance(other, str):
                    allowed = meets(peer.get("namespaceSelector", {"matchLabels": {NAMESPACE: ""}}), {NAMESPACE: other})
                else:
                    allowed = (
                        "podSelector" in peer
                        and "namespaceSelector" not in peer
                        and meets(peer["podSelector"], other["metadata"]["labels"])
                    )
                if allowed:
                    return True
    return False


def check_call(world, where, pod, url):
    """A pod may reach the address a setting names."""
    host, port = re.match(r"\w+://(?:[^@/]*@)?([^:/]+):(\d+)", url).groups()
    service, _, namespace = host.partition(".")
    port = int(port)
    for protocol in ("UDP", "TCP"):
        if not lets_through(world, "egress", pod, "kube-system", 53, protocol):
            fault(where, f"the network policies do not let it ask for {host}, {protocol} 53")
    if not namespace:
        services = [item for item in world.of("Service") if item["metadata"]["name"] == service]
        if not services or port not in [entry["port"] for entry in services[0]["spec"]["ports"]]:
            fault(where, f"{host}:{port} is no service here")
            return
        met = world.selected({"matchLabels": services[0]["spec"]["selector"]})
        if len(met) != 1:
            return
        target = met[0][1]
        if not lets_through(world, "egress", pod, target, port):
            fault(where, f"the network policies do not let it out to {host}:{port}")
        if not lets_through(world, "ingress", target, pod, port):
            fault(where, f"the network policies of {host} do not let it in to {port}")
    elif not lets_through(world, "egress", pod, namespace if "." not in namespace else None, port):
        fault(where, f"the network policies do not let it out to {host}:{port}")
