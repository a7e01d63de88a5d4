{# The columns tell all rows apart, and none of them is null. #}
{% test is_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_of_it
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 or {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
