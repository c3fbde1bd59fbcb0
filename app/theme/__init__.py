"""The look: ``.streamlit/config.toml`` sets colours and fonts, ``app.css`` the shapes that Streamlit does not have."""
