"""The pictures and the HTML that tabs show."""
