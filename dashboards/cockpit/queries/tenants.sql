SELECT * FROM hwsched.tenant_usage WHERE pool = %(pool)s ORDER BY dominant_share_ratio DESC NULLS LAST, tenant LIMIT 100
