SwaggerUIBundle({ dom_id: "#swagger", url: document.getElementById("swagger").dataset.url, deepLinking: true });
