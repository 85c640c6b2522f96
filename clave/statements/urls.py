"""Sworn statements: the training body's pages, the participant's, and public verification."""

from django.urls import path

from clave.statements import views

urlpatterns = [
    path("rts/declaraciones", views.otec_statements, name="body_statements"),
    path("rts/declaraciones/<path:code>", views.IssueForOtec.as_view(), name="body_statement"),
    path("mi-cuenta/declaraciones/<path:code>", views.Issue.as_view(), name="statement_issue"),
    path("declaracion/<str:folio>", views.statement, name="statement"),
    path("declaracion/<str:folio>/pdf", views.paper, name="statement_paper"),
    path("verificar", views.Verify.as_view(), name="verify"),
    path("verificar/<str:folio>", views.verify_folio, name="verify_folio"),
]
