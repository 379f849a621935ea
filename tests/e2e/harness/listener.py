"""The plain TCP ends that the proxy and the small servers are made of."""
import socket
import socketserver
import threading

DRAIN_SECONDS_MAX = 5


class Listener:
    """Listens on a free loopback port; a thread for each connection runs `serve(connection)`."""

    def __init__(self, serve):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    serve(self.request)
                    end_softly(self.request)
                except OSError:
                    pass  # the client left, or serve() closed the connection

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def shutdown_request(self, request):
                self.close_request(request)

        self._server = Server(('127.0.0.1', 0), Handler)
        self.address = f'127.0.0.1:{self._server.server_address[1]}'
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def end_softly(connection):
    """Ends an answer. A close with unread bytes of the request would reset the connection and lose the answer."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(DRAIN_SECONDS_MAX)
    while connection.recv(1 << 16):
        pass


def ask(address, request):
    """The whole answer of a snapshot service."""
    host, port = address.rsplit(':', 1)
    with socket.create_connection((host, int(port)), timeout=60) as server:
        server.sendall(request)
        pieces = []
        while piece := server.recv(1 << 20):
            pieces.append(piece)
    return b''.join(pieces)
