"""The services themselves: the binaries are asked, with the variables and files the pods would have."""

import pathlib
import re
import subprocess
import tempfile

from network import check_call, lets_through
from world import bytes_of, containers, fault, ports

SERVICES = ("user", "course", "notification")


def environment(world, where, container):
    variables = {}
    for source in container.get("envFrom", []):
        data = world.data("ConfigMap", source["configMapRef"]["name"])
        if data is None:
            fault(where, f"nobody makes ConfigMap {source['configMapRef']['name']}")
        for name, value in (data or {}).items():
            if name in variables:
                fault(where, f"{name} is set by two ConfigMaps")
            variables[name] = value
    for entry in container.get("env", []):
        if entry["name"] in variables:
            fault(where, f"{entry['name']} is set twice")
        variables[entry["name"]] = entry["value"]
    return variables


def mounted(world, pod, container):
    """What stands in the files of the container, by path."""
    files = {}
    for mount in container.get("volumeMounts", []):
        for volume in pod["spec"].get("volumes", []):
            if volume["name"] != mount["name"]:
                continue
            for source in volume.get("projected", {}).get("sources", [volume]):
                for kind, field in (("Secret", "secret"), ("ConfigMap", "configMap")):
                    for entry in source.get(field, {}).get("items", []):
                        data = world.data(kind, source[field]["name"]) or {}
                        files[f"{mount['mountPath']}/{entry['path']}"] = data.get(entry["key"], "")
    return files


def settings(binaries, service, variables, files):
    """What the binary says to these variables and files: its settings by key, or why it refuses."""
    with tempfile.TemporaryDirectory() as root:
        for path, content in files.items():
            target = pathlib.Path(root + path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        moved = {name: root + value if name.endswith("_FILE") else value for name, value in variables.items()}
        run = subprocess.run([f"{binaries}/lyceum-{service}", "settings"], check=False, env=moved, capture_output=True, text=True)
        if run.returncode != 0:
            return None, run.stderr.strip().replace(root, "")
    section, known = "", {}
    for line in run.stdout.splitlines():
        if line.startswith("["):
            section = line.strip("[]") + "."
        elif " = " in line:
            key, value = line.split(" = ", 1)
            known[section + key] = value
    return known, None


def check_services(world, binaries):
    connections = 0
    for item, pod in world.pods:
        for container in containers(pod):
            where = world.where(item)
            variables, files = environment(world, where, container), mounted(world, pod, container)
            for name, value in variables.items():
                if name.endswith("_FILE") and value not in files:
                    fault(where, f"{name}: nothing mounts {value}")
            match = re.search(r"(?:^|/)lyceum/(\w+)[:@]", container["image"])
            if not match:
                continue
            service = match[1]
            if service not in SERVICES:
                fault(where, f"{service} is no service")
                continue
            known, refusal = settings(binaries, service, variables, files)
            if refusal:
                fault(where, refusal)
                continue
            database = files.get(variables.get("LYCEUM__DATABASE__URL_FILE"))
            if database is None:
                continue
            check_call(world, where, pod, database)
            if known["environment"] == '"production"' and "sslmode=verify-full" not in database:
                fault(where, "talks to its database without asking who it is: sslmode=verify-full")
            for path in re.findall(r"sslrootcert=([^&]+)", database):
                if path not in files:
                    fault(where, f"the database's URL names {path}, which nothing mounts")
            role = "owner" if item["kind"] == "Job" else "app"
            if f"//{service}_{role}:" not in database:
                fault(where, f"connects with another role than {service}_{role}")
            if item["kind"] == "Deployment":
                check_service(world, item, pod, container, known)
                # Replicas that tell one another what they wrote listen on one beside the pool.
                listens = known.get("live.listen") == "true"
                connections += (int(known["database.max_connections"]) + listens) * replicas(world, item)
    return connections


def replicas(world, deployment):
    for item in world.of("HorizontalPodAutoscaler"):
        if item["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]:
            return item["spec"]["maxReplicas"]
    fault(world.where(deployment), "no autoscaler")
    return 0


def check_service(world, item, pod, container, known):
    where = world.where(item)
    own = {"http": int(known["http.port"]), "operations": int(known["operations.port"])}
    if ports(pod) != own:
        fault(where, f"its ports are {own}, not {ports(pod)}")
    for listener in ("http", "operations"):
        if known[f"{listener}.host"] != '"0.0.0.0"':
            fault(where, f"{listener}.host is reached by nobody")
    annotations = {"scrape": "true", "port": str(own["operations"]), "path": "/metrics"}
    for key, value in annotations.items():
        if pod["metadata"].get("annotations", {}).get(f"prometheus.io/{key}") != value:
            fault(where, f"prometheus.io/{key} is not {value}")
    for probe, path in (("startupProbe", "/health/live"), ("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")):
        if container.get(probe, {}).get("httpGet") != {"path": path, "port": "operations"}:
            fault(where, f"{probe} does not ask {path} of the operations listener")
    if pod["spec"].get("terminationGracePeriodSeconds", 30) * 1000 < int(known["lifecycle.grace_ms"]) + 2000:
        fault(where, "terminationGracePeriodSeconds is not above lifecycle.grace_ms")
    if known["database.migrate_on_start"] != "false":
        fault(where, "migrates at the start, which its role cannot")
    if known["http.workers"] == "0" or known.get("passwords.concurrency") == "0":
        fault(where, "one thread per core of the node, whichever that is")
    hashes = int(known.get("passwords.concurrency", 0)) * 19 << 20
    memory = container.get("resources", {}).get("limits", {}).get("memory", "0Mi")
    if hashes * 4 > bytes_of(memory):
        fault(where, "password hashes may take more than a quarter of its memory")
    for key, value in known.items():
        if re.fullmatch(r"upstreams\.\w+\.base_url", key) or key == "telemetry.otlp_endpoint":
            if "127.0.0.1" in value or value == '""':
                fault(where, f"{key} is {value}")
            else:
                check_call(world, where, pod, value.strip('"'))
    if not lets_through(world, "ingress", pod, "ingress", own["http"]):
        fault(where, "the edge is not let in")
    if not lets_through(world, "ingress", pod, "monitoring", own["operations"]):
        fault(where, "the monitoring namespace is not let in to its operations port")
    for other in ["ingress"] + [template for owner, template in world.pods if owner is not item]:
        if lets_through(world, "ingress", pod, other, own["operations"]):
            fault(where, "its operations port is open to more than the monitoring namespace")
