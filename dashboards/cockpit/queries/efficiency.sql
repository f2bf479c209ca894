-- Types of work by class of hardware: how well it suited, and how often it was chosen.
SELECT workload_type, hardware_class, sum(assignments) AS assignments, sum(assignments * efficiency_ratio) / sum(assignments) AS efficiency_ratio,
       sum(assignments * adjusted_efficiency_ratio) / sum(assignments) AS adjusted_efficiency_ratio
FROM hwsched.hardware_efficiency WHERE pool = %(pool)s GROUP BY 1, 2 ORDER BY 1, 2
