"""The provider that authors of providers begin from: it builds with apxs and one header, and does what it says."""

import pytest

CONF = """
LoadModule metrics_authz_example_module {module}
<Location "/metrics">
    SetHandler metrics
    AuthType Basic
    AuthName "usage"
    AuthUserFile "${{DIR}}/passwords"
    Require valid-user
    MetricsAuthz department {arguments}
</Location>
"""
MODULES = ("auth_basic", "authn_core", "authn_file", "authz_user")
ADA = ("ada", "a")


def document(id_, **more):
    return {"_id": "-".join([id_, *more.values()]), "views": 1, "downloads": 0, **more}


@pytest.fixture(scope="module")
def site(httpd_of_file, example_of_a_provider):
    httpd = httpd_of_file(CONF.format(module=example_of_a_provider, arguments="biology-"), markers=False,
                          modules=MODULES)
    httpd.password_file(ADA)
    httpd.start()
    httpd.counts.wait_for_indexes()
    db = httpd.counts.db
    db.metrics_files.insert_many([document("biology-1"), document("biology-2"), document("physics-1")])
    db.metrics_users.insert_many([document(resource, type="files", resource=resource, user=user)
                                  for resource in ("biology-1", "physics-1") for user in ("ada", "bob")])
    return httpd


def test_a_department_and_oneself(site):
    assert [row[0] for row in site.get("/metrics/files", user=ADA).rows[1:]] == ["biology-1", "biology-2"]
    assert [(row[0], row[2]) for row in site.get("/metrics/files/users", user=ADA).rows[1:]] == [("biology-1", "ada")]
    assert site.get("/metrics/files/physics-1", user=ADA).rows[1:] == []


def test_who_is_not_signed_in_and_what_it_does_not_know(site):
    assert site.get("/metrics/files").status == 401
    assert site.get("/metrics/status", user=ADA).status == 403


@pytest.mark.parametrize("arguments", ["", "biology- physics-"])
def test_arguments_are_looked_at_when_httpd_starts(httpd, example_of_a_provider, arguments):
    status, said = httpd(CONF.format(module=example_of_a_provider, arguments=arguments), modules=MODULES).check()
    assert status != 0
    assert "MM0503: MetricsAuthz department: name one department" in said
