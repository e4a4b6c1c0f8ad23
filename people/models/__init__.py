from people.models.audit import AuditEntry
from people.models.company import Company, CompanyDomain
from people.models.contact import Contact, ContactAddress
from people.models.team import Membership, Team
from people.models.user import Role, TicketAccess, User

__all__ = [
    "AuditEntry",
    "Company",
    "CompanyDomain",
    "Contact",
    "ContactAddress",
    "Membership",
    "Role",
    "Team",
    "TicketAccess",
    "User",
]
