"""The office over HTTP: what anybody may fetch, and what one vehicle may ask and hand in."""
