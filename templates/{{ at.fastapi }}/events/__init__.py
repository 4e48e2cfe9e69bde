"""Events over SSE and WebSocket, and streamed summaries. Other modules import `public` only."""
