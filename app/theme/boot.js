// Runs before Streamlit: the server is this origin, also on deep pages, where Streamlit would first try a wrong path.
window.__streamlit = { BACKEND_BASE_URL: location.origin, MAIN_PAGE_BASE_URL: location.origin };
window.prerenderReady = false;
