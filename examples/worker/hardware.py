"""What this machine has and how busy it is, from lscpu, nvidia-smi, /proc and /sys."""

import csv
import importlib.util
import json
import os
import platform
import shutil
import socket
import subprocess
import time
from pathlib import Path

ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64", "riscv64": "riscv"}
VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "ARM": "arm", "Apple": "apple", "IBM": "ibm"}
FEATURES = {"sse2": "simd", "asimd": "neon", "sve": "sve", "avx": "avx", "avx2": "avx2", "avx512f": "avx512"}
FRAMEWORKS = {"torch": "pytorch", "tensorflow": "tensorflow", "onnxruntime": "onnx", "openvino": "openvino"}
GPU_COLUMNS = ("name", "memory.total", "power.limit", "utilization.gpu", "temperature.gpu", "power.draw")


def lscpu():
    """Returns its fields, which newer versions nest, as one flat dictionary."""
    fields = {}

    def flatten(items):
        for item in items:
            fields[item["field"].rstrip(":")] = item["data"] or ""
            flatten(item.get("children", []))

    flatten(json.loads(subprocess.run(["lscpu", "-J"], check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"}).stdout)["lscpu"])
    return fields


def number(text):
    """Returns what a tool prints as a number; None for "[N/A]" and the like."""
    try:
        return float(text)
    except ValueError:
        return None


def gpus():
    """Returns a dictionary of GPU_COLUMNS for each NVIDIA GPU, in the driver's order."""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", f"--query-gpu={','.join(GPU_COLUMNS)}", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    return [dict(zip(GPU_COLUMNS, row)) for row in csv.reader(done.stdout.splitlines(), skipinitialspace=True)]


def meminfo():
    """Returns /proc/meminfo in bytes."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}


def known(document):
    return {key: value for key, value in document.items() if value not in (None, "")}


def capabilities(slots):
    """Returns the document to register with.  Device 0 is the CPU, then come the GPUs."""
    cpu, graphics, threads = lscpu(), gpus(), len(os.sched_getaffinity(0))
    cores = max(1, threads // int(number(cpu.get("Thread(s) per core", "1")) or 1))
    backends = [name for module, name in FRAMEWORKS.items() if importlib.util.find_spec(module)]
    devices = [known({
        "hardware_class": "cpu", "model_name": cpu.get("Model name"), "compute_units": cores, "supported_backends": backends,
        "architecture": ARCHITECTURES.get(cpu["Architecture"], "other"), "vendor": VENDORS.get(cpu.get("Vendor ID"), "other"),
        "features": [name for flag, name in FEATURES.items() if flag in cpu.get("Flags", "").split()],
        "clock_speed_mhz": number(cpu.get("CPU max MHz", "")), "supported_precisions": ["fp32", "int8"]})]
    devices += [known({
        "hardware_class": "gpu", "architecture": "gpu_cuda", "vendor": "nvidia", "model_name": gpu["name"],
        "memory_total_bytes": int(number(gpu["memory.total"]) or 0) << 20, "thermal_design_power_w": number(gpu["power.limit"]),
        "supported_backends": ["cuda", *backends], "supported_precisions": ["fp32", "fp16", "int8"]}) for gpu in graphics]
    return {
        "hostname": socket.gethostname(), "cpu_cores": cores, "cpu_threads": threads, "max_concurrent": slots,
        "available_memory": meminfo()["MemTotal"] / 2**30, "devices": devices,
        "software_versions": {"python": platform.python_version()}}


def temperature():
    """Returns the hottest sensor's degrees, or None where there is no sensor."""
    degrees = []
    for sensor in (*Path("/sys/class/thermal").glob("thermal_zone*/temp"), *Path("/sys/class/hwmon").glob("hwmon*/temp*_input")):
        try:
            degrees.append(int(sensor.read_text()) / 1000)
        except (OSError, ValueError):
            pass
    return max(degrees, default=None)


def counters():
    """Returns what only differences tell: the time, CPU ticks in all and idle, the busiest disk's milliseconds."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    disks = [int(line.split()[12]) for line in Path("/proc/diskstats").read_text().splitlines()]
    return time.monotonic(), sum(ticks), ticks[3] + ticks[4], max(disks, default=0)


class Load:
    """How busy the machine was between one report and the next."""

    def __init__(self):
        self.last = counters()

    def report(self, running):
        now, before, memory, graphics = counters(), self.last, meminfo(), gpus()
        seconds, ticks, idle, disk = (new - old for new, old in zip(now, before))
        self.last = now
        return known({
            "cpu_utilization": min(100, max(0, 100 * (1 - idle / ticks))) if ticks else None,
            "memory_utilization": 100 * (1 - memory["MemAvailable"] / memory["MemTotal"]),
            "io_utilization": min(100, max(0, disk / seconds / 10)) if seconds else None,
            "gpu_utilization": max((number(gpu["utilization.gpu"]) or 0 for gpu in graphics), default=None),
            "temperature_celsius": temperature(), "active_tests": running,
            "devices": [known({
                "device_no": no, "utilization": number(gpu["utilization.gpu"]),
                "temperature_celsius": number(gpu["temperature.gpu"]), "power_w": number(gpu["power.draw"])})
                for no, gpu in enumerate(graphics, 1)]})
