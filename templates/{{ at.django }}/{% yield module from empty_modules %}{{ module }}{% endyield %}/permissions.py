"""The role that each action needs."""

from ..accounts.public import Role

READ = Role.VIEWER
CREATE = Role.MEMBER
UPDATE = Role.MEMBER
DELETE = Role.OWNER
