# The Dagster UI and everything it runs, as a user without rights.
#   docker build -t collie .                                              on the CPU
#   docker build -t collie --build-arg DEVICE=cuda .                      on a GPU
#   docker build -t collie --build-arg TORCH_INDEX=... .                  torch from another index,
#       such as the one with PyTorch's CPU builds that its installation page names: a smaller image
#   docker run -p 3000:3000 -v collie-data:/app/data -v collie-home:/app/dagster_home collie
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

ARG TORCH_INDEX=
ARG DEVICE=cpu
WORKDIR /app
RUN useradd --create-home --uid 1000 collie && mkdir data && chown collie:collie /app data
COPY constraints.txt pyproject.toml README.md ./
COPY collie_core collie_core
COPY collie_pipeline collie_pipeline
RUN pip install --no-cache-dir --constraint constraints.txt \
        ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch \
    && pip install --no-cache-dir --constraint constraints.txt '.[postgres]'
COPY workspace.yaml ./
COPY --chown=collie:collie dagster_home dagster_home
USER collie
# a GPU is seen by a container only under the NVIDIA runtime, which reads these
ENV COLLIE_DEVICE=${DEVICE} \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
VOLUME ["/app/data", "/app/dagster_home"]
EXPOSE 3000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:3000/server_info')"]
CMD ["collie", "ui", "--host", "0.0.0.0"]
