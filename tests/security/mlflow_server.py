"""As much of an MLflow server as a training talks to; it keeps what it was told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EXPERIMENT = {"experiment_id": "1", "name": "a", "lifecycle_stage": "active"}
RUN = {"run_id": "r", "run_uuid": "r", "experiment_id": "1", "status": "RUNNING"}
ANSWERS = {
    "experiments/get-by-name": {"experiment": EXPERIMENT},
    "runs/create": {"run": {"info": RUN, "data": {}}},
    "runs/get": {"run": {"info": RUN, "data": {}}},
}


@contextmanager
def mlflow_server() -> Iterator[tuple[int, list[str]]]:
    """Give a port, and what was asked there with whose credentials."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            call = self.path.partition("?")[0].partition("/mlflow/")[2]
            asked.append(f"{call} {self.headers['Authorization']}")
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            body = json.dumps(ANSWERS.get(call, {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - named by the base class

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
