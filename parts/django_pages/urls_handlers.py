
handler400 = "{{ package }}.core.pages.bad_request"
handler403 = "{{ package }}.core.pages.permission_denied"
handler404 = "{{ package }}.core.pages.not_found"
handler500 = "{{ package }}.core.pages.server_error"
